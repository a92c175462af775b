"""Ways to move money to payees, behind `payouts.ports.Channel`."""
