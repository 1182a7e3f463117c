"""The local gateway's HTTP side."""
