"""A small client over the official SDKs, and mock profiles that need no key."""
