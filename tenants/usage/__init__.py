"""What each tenant uses a day, for its bill and for the platform's own eyes."""
