"""What starts a refresh: the job, the schedule and sensor (off unless asked for), and the command line's way in."""
