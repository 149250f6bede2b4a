"""Many runs of one config: parameter studies, and fits of parameters to targets."""
