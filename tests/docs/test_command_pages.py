"""Every command has a page, and the page is what its help says."""

from tools.command_pages import FOLDER, pages


def test_every_page_is_up_to_date() -> None:
    written = {page.name: page.read_text(encoding="utf-8") for page in FOLDER.glob("*.md")}
    assert written == pages(), "run: make docs"
