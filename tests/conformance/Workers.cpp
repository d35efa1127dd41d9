#include "tests/conformance/Workers.h"

#include "base/Error.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <csignal>
#include <cstring>

namespace inlay::conformance {
namespace {

using Clock = std::chrono::steady_clock;

/// What a worker answers for a row, before the message's bytes.
struct Answer {
  uint32_t outcome;
  uint32_t messageBytes;
  double milliseconds;
};

bool readAll(int file, void *to, size_t size) {
  auto *at = static_cast<char *>(to);
  while (size > 0) {
    ssize_t count = ::read(file, at, size);
    if (count <= 0)
      return false;
    at += count;
    size -= static_cast<size_t>(count);
  }
  return true;
}

bool writeAll(int file, const void *from, size_t size) {
  const auto *at = static_cast<const char *>(from);
  while (size > 0) {
    ssize_t count = ::write(file, at, size);
    if (count <= 0)
      return false;
    at += count;
    size -= static_cast<size_t>(count);
  }
  return true;
}

bool sendAnswer(int file, const RowResult &result) {
  Answer answer{static_cast<uint32_t>(result.outcome), static_cast<uint32_t>(result.message.size()),
                result.milliseconds};
  return writeAll(file, &answer, sizeof(answer)) &&
         writeAll(file, result.message.data(), result.message.size());
}

/// A GPU's driver fails everything after the first error of a process.
bool endsWorker(const RowResult &result, const WorkerOptions &options) {
  return result.outcome == Outcome::Run && options.device != "cpu";
}

RowResult runAndDump(Result<RowRunner> &runner, const Row &row, const std::string &dumpFolder) {
  if (!runner.isOk())
    return {Outcome::Run, runner.status().message(), 0};
  RowTensors tensors;
  RowResult result = runner->run(row, dumpFolder.empty() ? nullptr : &tensors);
  if (!tensors.empty())
    if (Status status = writeNpz(dumpFolder + "/" + dumpName(row) + ".npz", tensors);
        !status.isOk())
      return {Outcome::Run, status.message(), 0};
  return result;
}

/// A worker's life: rows by number until the pipe closes.
[[noreturn]] void work(int requests, int answers, const std::vector<const Row *> &rows,
                       const WorkerOptions &options) {
  auto runner = RowRunner::open(options.device);
  uint64_t index = 0;
  while (readAll(requests, &index, sizeof(index))) {
    RowResult result = runAndDump(runner, *rows[index], options.dumpFolder);
    if (!sendAnswer(answers, result))
      break;
    if (endsWorker(result, options))
      break;
  }
  // Without the destructors of a driver that may be broken.
  std::_Exit(0);
}

class Worker {
public:
  bool isBusy() const { return process_ > 0 && current_ != kNone; }
  int answers() const { return answers_; }
  size_t current() const { return current_; }
  bool isLate(double timeoutSeconds) const {
    return std::chrono::duration<double>(Clock::now() - started_).count() > timeoutSeconds;
  }

  void give(size_t index, const std::vector<const Row *> &rows, const WorkerOptions &options) {
    uint64_t number = index;
    if (process_ <= 0 || !writeAll(requests_, &number, sizeof(number))) {
      stop(false);
      start(rows, options);
      (void)writeAll(requests_, &number, sizeof(number));
    }
    current_ = index;
    started_ = Clock::now();
  }

  /// The answer to the current row; says how the process died if there is none.
  RowResult take(const WorkerOptions &options) {
    Answer answer{};
    RowResult result;
    if (readAll(answers_, &answer, sizeof(answer))) {
      result.outcome = static_cast<Outcome>(answer.outcome);
      result.milliseconds = answer.milliseconds;
      result.message.resize(answer.messageBytes);
      (void)readAll(answers_, result.message.data(), answer.messageBytes);
      if (endsWorker(result, options))
        stop(false);
    } else {
      result = {Outcome::Crash, stop(false), 0};
    }
    current_ = kNone;
    return result;
  }

  RowResult giveUp() {
    stop(true);
    current_ = kNone;
    return {Outcome::Timeout, "no answer in time", 0};
  }

  /// Ends the process and says how it ended.
  std::string stop(bool kills) {
    if (process_ <= 0)
      return "";
    if (kills)
      ::kill(process_, SIGKILL);
    ::close(requests_);
    ::close(answers_);
    int status = 0;
    ::waitpid(process_, &status, 0);
    process_ = -1;
    return WIFSIGNALED(status)
               ? fmt::format("the process died of signal {} ({})", WTERMSIG(status),
                             ::strsignal(WTERMSIG(status)))
               : fmt::format("the process ended with status {}", WEXITSTATUS(status));
  }

private:
  static constexpr size_t kNone = SIZE_MAX;
  static constexpr int kMaxFiles = 1024;

  void start(const std::vector<const Row *> &rows, const WorkerOptions &options) {
    int down[2], up[2];
    INLAY_CHECK(::pipe2(down, O_CLOEXEC) == 0 && ::pipe2(up, O_CLOEXEC) == 0, "no pipes");
    process_ = ::fork();
    INLAY_CHECK(process_ >= 0, "fork failed");
    if (process_ == 0) {
      // Pipes of the other workers would stay open as long as this process lives.
      for (int file = STDERR_FILENO + 1; file < kMaxFiles; ++file)
        if (file != down[0] && file != up[1])
          ::close(file);
      work(down[0], up[1], rows, options);
    }
    ::close(down[0]);
    ::close(up[1]);
    requests_ = down[1];
    answers_ = up[0];
  }

  pid_t process_ = -1;
  int requests_ = -1, answers_ = -1;
  size_t current_ = kNone;
  Clock::time_point started_;
};

} // namespace

std::string dumpName(const Row &row) {
  std::string name = row.fullName();
  for (char &c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != '.')
      c = '+';
  return name;
}

Status probeDevice(const std::string &device, std::string &outDescription) {
  int answer[2];
  INLAY_CHECK(::pipe(answer) == 0, "no pipe");
  pid_t process = ::fork();
  INLAY_CHECK(process >= 0, "fork failed");
  if (process == 0) {
    auto runner = RowRunner::open(device);
    std::string text = runner.isOk() ? runner->describe() : "!" + runner.status().message();
    (void)writeAll(answer[1], text.data(), text.size());
    std::_Exit(0);
  }
  ::close(answer[1]);
  std::string text;
  for (char c; readAll(answer[0], &c, 1);)
    text += c;
  ::close(answer[0]);
  ::waitpid(process, nullptr, 0);
  if (text.empty())
    return deviceError("opening device {} ended the process", device);
  if (text[0] == '!')
    return deviceError("{}", text.substr(1));
  outDescription = text;
  return {};
}

std::vector<RowResult> runRows(const std::vector<const Row *> &rows, const WorkerOptions &options,
                               const std::function<void(size_t, const RowResult &)> &onResult) {
  std::vector<RowResult> results(rows.size());
  if (options.numWorkers == 0) {
    auto runner = RowRunner::open(options.device);
    for (size_t i = 0; i < rows.size(); ++i) {
      results[i] = runAndDump(runner, *rows[i], options.dumpFolder);
      onResult(i, results[i]);
    }
    return results;
  }
  ::signal(SIGPIPE, SIG_IGN);
  std::vector<Worker> workers(std::min<size_t>(options.numWorkers, rows.size()));
  size_t next = 0, done = 0;
  auto finish = [&](size_t index, RowResult result) {
    results[index] = std::move(result);
    ++done;
    onResult(index, results[index]);
  };
  while (done < rows.size()) {
    std::vector<pollfd> waiting;
    std::vector<Worker *> busy;
    for (Worker &worker : workers) {
      if (!worker.isBusy() && next < rows.size())
        worker.give(next++, rows, options);
      if (worker.isBusy()) {
        waiting.push_back({worker.answers(), POLLIN, 0});
        busy.push_back(&worker);
      }
    }
    ::poll(waiting.data(), waiting.size(), 200);
    for (size_t i = 0; i < busy.size(); ++i) {
      size_t index = busy[i]->current();
      if (waiting[i].revents != 0)
        finish(index, busy[i]->take(options));
      else if (busy[i]->isLate(options.timeoutSeconds))
        finish(index, busy[i]->giveUp());
    }
  }
  for (Worker &worker : workers)
    worker.stop(false);
  return results;
}

} // namespace inlay::conformance
