"""The parts of the live dashboard, which ``outlay.contrib.streamlit_app`` puts together."""
