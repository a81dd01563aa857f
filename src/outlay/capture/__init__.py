"""From a call to a Record: context, measuring, decorators, the recorder."""
