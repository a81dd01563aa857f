"""Hooks into the providers' SDKs, one leaf per SDK.

openai and anthropic are hooked at the base client they share, google-genai at its API client: the places that
every form of a call passes exactly once. Where one hook's call makes another's, the outer one counts.
"""

from outlay.instrumentation.hooks import PACKAGES, Hooks, SdkStatus

__all__ = ["PACKAGES", "Hooks", "SdkStatus"]
