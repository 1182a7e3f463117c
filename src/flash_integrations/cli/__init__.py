"""The command ``flash-integrations``."""

from .app import main

__all__ = ["main"]
