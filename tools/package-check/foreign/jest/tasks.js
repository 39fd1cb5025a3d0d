const { Task } = require("@futures/core")

module.exports = Task.module(module, {
  echo: (value) => value,
  fib: (n) => n < 2 ? n : module.exports.fib(n - 1) + module.exports.fib(n - 2),
  refuse: () => {
    throw new RangeError("refused")
  }
})
