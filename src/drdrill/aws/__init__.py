"""The AWS APIs that are ours: the gate in front, state machines and reconcilers behind, ports to the machines.

An answer of success means that the thing happened to a real server. Whatever is not implemented says so.
"""
