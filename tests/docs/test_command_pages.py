"""Every command has a page, which is what its help says; the reference is what the code says."""

from tools import reference_pages
from tools.command_pages import FOLDER, pages


def test_every_page_is_up_to_date() -> None:
    written = {page.name: page.read_text(encoding="utf-8") for page in FOLDER.glob("*.md")}
    assert written == pages(), "run: make docs"


def test_the_reference_is_up_to_date() -> None:
    folder = reference_pages.FOLDER
    written = {page.name: page.read_text(encoding="utf-8") for page in folder.glob("*.md")}
    assert written == reference_pages.pages(), "run: make docs"
