"""The words of the scenarios, one module per stage of a drill. A step calls one operation of the engine."""
