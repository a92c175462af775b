"""Cardstock: AI business cards, an S2B2C mall and a 2+1 referral plan as AWS Lambda functions on DynamoDB."""
