"""Stands for Sematic's worker: imports the flow, and prints its own arguments."""

import sys

import flow
import slipway

print(flow.__name__, slipway.__name__, *sys.argv[1:])
