"""The paper's experiments, run again under one protocol, with tables and figures laid out as in the paper."""
