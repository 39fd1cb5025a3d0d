/** A module of tasks that throws while it is loaded. */
throw new RangeError("not today")
