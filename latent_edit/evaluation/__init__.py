"""Measuring what an edit did, with judges that know nothing of this project."""
