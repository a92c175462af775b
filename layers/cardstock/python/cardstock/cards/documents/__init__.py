"""A card as documents: its public page, its vCard, its QR code."""
