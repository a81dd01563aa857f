"""From a provider's response, or a list of stream events, to Usage; imports no SDK."""
