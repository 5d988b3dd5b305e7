"""The measure stage: spend in one currency, cost per customer by channel and band, credit, loans, lift."""
