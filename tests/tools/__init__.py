"""Small programs that the test command runs beside pytest."""
