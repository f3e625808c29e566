"""What operators see of the platform's work: a measured line for each request, and metrics."""
