"""Ray without usage statistics.

Problem: Ray sends usage data by default, and only an environment variable turns that off.
Upstream: https://docs.ray.io/en/latest/cluster/usage-stats.html
Versions: Ray 2.60.
Remove: when Ray asks before it sends.
"""

from __future__ import annotations

import os


def send_no_usage_statistics() -> None:
    """Set the variable; call it before Ray is imported."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
