"""Bytes in, JSON out."""
