"""The version of Slipway: this is its one place. What a release is made of has it from here."""

VERSION = "0.1.0"
