"""Deployment: packages, images, infrastructure and releases."""
