"""An app with jobs for the tests that start workers as processes of their own."""
