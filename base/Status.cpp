#include "base/Status.h"

#include <cstdio>
#include <cstdlib>

namespace inlay {

std::string_view statusCodeName(StatusCode code) {
  switch (code) {
#define INLAY_STATUS_CODE(name, cName, value)                                                      \
  case StatusCode::name:                                                                           \
    return #cName;
#include "base/StatusCode.def"
#undef INLAY_STATUS_CODE
  }
  return "UNKNOWN";
}

Status::Status(StatusCode code, std::string message)
    : error_(std::make_unique<Error>(Error{code, std::move(message)})) {
  INLAY_CHECK(code != StatusCode::Ok, "an error Status needs an error code");
}

Status::Status(const Status &other)
    : error_(other.error_ ? std::make_unique<Error>(*other.error_) : nullptr) {}

Status &Status::operator=(const Status &other) {
  if (this != &other)
    error_ = other.error_ ? std::make_unique<Error>(*other.error_) : nullptr;
  return *this;
}

const std::string &Status::message() const {
  static const std::string empty;
  return error_ ? error_->message : empty;
}

std::string Status::toString() const {
  if (!error_)
    return "OK";
  return std::string(statusCodeName(error_->code)) + ": " + error_->message;
}

Status Status::withContext(std::string_view context) && {
  if (error_)
    error_->message.append(", while ").append(context);
  return std::move(*this);
}

void checkFailed(const char *condition, const char *file, int line, std::string_view message) {
  std::fprintf(stderr, "inlay: internal error at %s:%d: %.*s (%s is false); please report this\n",
               file, line, static_cast<int>(message.size()), message.data(), condition);
  std::abort();
}

} // namespace inlay
