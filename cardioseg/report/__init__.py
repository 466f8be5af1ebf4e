"""Tables and pictures of measures and masks."""
