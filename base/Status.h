// Errors as values: Status, Result<T>, and the macros that pass them up with context.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace inlay {

/// Says whose fault an error is and what can be done; see StatusCode.def for when to use which.
enum class StatusCode : uint8_t {
#define INLAY_STATUS_CODE(name, cName, value) name = value,
#include "base/StatusCode.def"
#undef INLAY_STATUS_CODE
};

/// Returns the code's name as printed to users, for example "INVALID_ARGUMENT".
std::string_view statusCodeName(StatusCode code);

/// The outcome of an operation that can fail: success, or a code and a message for people.
/// Success costs one null pointer and never allocates.
class [[nodiscard]] Status {
public:
  Status() = default;
  /// Makes an error; `code` must not be Ok.
  Status(StatusCode code, std::string message);
  Status(const Status &other);
  Status(Status &&) noexcept = default;
  Status &operator=(const Status &other);
  Status &operator=(Status &&) noexcept = default;
  ~Status() = default;

  bool isOk() const { return !error_; }
  StatusCode code() const { return error_ ? error_->code : StatusCode::Ok; }
  /// The message without the code; empty on success. Valid as long as this Status.
  const std::string &message() const;
  /// "CODE: message", or "OK".
  std::string toString() const;
  /// Returns this error with ", while <context>" appended to its message; success is unchanged.
  Status withContext(std::string_view context) &&;

private:
  struct Error {
    StatusCode code;
    std::string message;
  };
  std::unique_ptr<Error> error_;
};

/// A value, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
public:
  Result(T value) : value_(std::move(value)) {}
  /// From an error; a success status is turned into an Internal error.
  Result(Status status) : status_(std::move(status)) {
    if (status_.isOk())
      status_ = Status(StatusCode::Internal, "a Result was made from a success status");
  }
  bool isOk() const { return value_.has_value(); }
  const Status &status() const & { return status_; }
  Status &&status() && { return std::move(status_); }
  T &value() & { return *value_; }
  const T &value() const & { return *value_; }
  T &&value() && { return std::move(*value_); }
  T &operator*() & { return *value_; }
  const T &operator*() const & { return *value_; }
  T *operator->() { return &*value_; }
  const T *operator->() const { return &*value_; }

private:
  Status status_;
  std::optional<T> value_;
};

/// Prints the message and aborts: for bugs of our own, never for input from outside.
[[noreturn]] void checkFailed(const char *condition, const char *file, int line,
                              std::string_view message);

} // namespace inlay

#define INLAY_CONCAT_INNER(a, b) a##b
#define INLAY_CONCAT(a, b) INLAY_CONCAT_INNER(a, b)

/// Returns the error of a Status expression from the enclosing function; an optional second
/// argument is context appended as ", while …".
#define INLAY_TRY(expression, ...)                                                                 \
  do {                                                                                             \
    if (::inlay::Status inlayStatus = (expression); !inlayStatus.isOk())                           \
      return __VA_OPT__(std::move)(inlayStatus) __VA_OPT__(.withContext(__VA_ARGS__));             \
  } while (false)

/// Declares `variable` from a Result expression, or returns its error from the enclosing function.
#define INLAY_ASSIGN(variable, expression, ...)                                                    \
  auto INLAY_CONCAT(inlayResult, __LINE__) = (expression);                                         \
  if (!INLAY_CONCAT(inlayResult, __LINE__).isOk())                                                 \
    return std::move(INLAY_CONCAT(inlayResult, __LINE__))                                          \
        .status() __VA_OPT__(.withContext(__VA_ARGS__));                                           \
  variable = std::move(INLAY_CONCAT(inlayResult, __LINE__)).value()

/// Aborts with a message when a condition that only a bug of ours can break is false.
#define INLAY_CHECK(condition, message)                                                            \
  (static_cast<bool>(condition)                                                                    \
       ? static_cast<void>(0)                                                                      \
       : ::inlay::checkFailed(#condition, __FILE_NAME__, __LINE__, message))
