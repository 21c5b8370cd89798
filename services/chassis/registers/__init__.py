"""Records of processing, impact assessments and notices, written from what the code knows."""
