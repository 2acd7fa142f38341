package manager_test

const crowdEnv = "REEVE_TEST_CROWD"

func crowd(string) int { return 0 }
