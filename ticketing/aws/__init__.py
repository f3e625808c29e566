"""The platform on AWS Lambda: the entry point, its environment, and secrets by reference."""
