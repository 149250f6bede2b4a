"""Kinematics, material law and weak form."""
