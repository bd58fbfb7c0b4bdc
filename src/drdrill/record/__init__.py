"""What is written down while a drill runs: journal, ledger, drill directory, evidence. Knows no meaning of it."""
