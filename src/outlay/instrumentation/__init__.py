"""Hooks into the providers' SDKs, one leaf per SDK.

Each is hooked where every form of a call passes exactly once; ``docs/sdks.md`` says where that is. Where one
hook's call makes another's, the outer one counts.
"""

from outlay.instrumentation.hooks import FRAMEWORKS, PACKAGES, TRANSPORTS, Hooks, SdkStatus

__all__ = ["FRAMEWORKS", "PACKAGES", "TRANSPORTS", "Hooks", "SdkStatus"]
