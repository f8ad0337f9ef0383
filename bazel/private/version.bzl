"""The version of Slipway. Releases take it from here."""

VERSION = "0.1.0"
