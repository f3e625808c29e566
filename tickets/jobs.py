"""The background jobs of the tickets and their capabilities; importing this registers them."""

import tickets.attachments.jobs
import tickets.drafts.jobs
import tickets.privacy.jobs
import tickets.search.jobs
import tickets.stats.jobs
import tickets.transfer.jobs  # noqa: F401 - each registers its jobs
