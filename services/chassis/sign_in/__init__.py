"""Who sits at a page: signed in by the organisation's OpenID Connect provider, in one role."""
