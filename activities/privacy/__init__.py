"""The privacy methods, each behind the one port of `activities.privacy.port`."""
