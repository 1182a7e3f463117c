"""Carries out what the core decides: connections, proxies, reading and sending. The only room that runs on httpx."""
