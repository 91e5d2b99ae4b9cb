"""What a plan means, judged: each rule reads the draft and yields faults. One file for each subject."""
