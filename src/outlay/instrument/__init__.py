"""Hooks into the providers' SDKs, one leaf per SDK."""
