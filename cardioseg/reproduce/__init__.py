"""The paper's experiments: what was compared, run again under one protocol, and laid out as the paper did."""
