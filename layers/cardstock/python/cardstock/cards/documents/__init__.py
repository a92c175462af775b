"""A card as documents for people: its public page, its vCard, its QR code."""
