"""outlay in a Django project."""
