"""Attacks on a running server, each scripted once and kept: `make attack`."""
