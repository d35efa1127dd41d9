// Reading fields out of JSON with errors that name their path.
#pragma once

#include "base/Error.h"

#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace inlay::pt2 {

/// A JSON value and the path that led to it: "graph_module.graph.nodes[3]". Borrows the parser's
/// document.
class Json {
public:
  Json(simdjson::dom::element element, std::string path)
      : element_(element), path_(std::move(path)) {}

  const std::string &path() const { return path_; }
  simdjson::dom::element element() const { return element_; }
  bool isNull() const { return element_.is_null(); }

  /// A field that must be there and not null.
  Result<Json> field(std::string_view key) const {
    if (!element_.is_object())
      return wrongKind("an object with the field '" + std::string(key) + "'");
    std::optional<Json> value = find(key);
    if (!value)
      return invalidArgument("{}: the field '{}' is missing or null", place(), key);
    return *value;
  }
  /// A field; nullopt if it is absent or null, or this is no object.
  std::optional<Json> find(std::string_view key) const {
    simdjson::dom::object object;
    simdjson::dom::element value;
    if (element_.get(object) || object.at_key(key).get(value) || value.is_null())
      return std::nullopt;
    return Json(value, childPath(key));
  }

  Result<int64_t> asInt() const { return scalar<int64_t>("an integer"); }
  Result<bool> asBool() const { return scalar<bool>("a boolean"); }
  Result<std::string> asString() const {
    INLAY_ASSIGN(std::string_view text, scalar<std::string_view>("a string"));
    return std::string(text);
  }
  /// Integers count as floats; "Infinity", "-Infinity" and "NaN" are written as strings.
  Result<double> asFloat() const {
    double number = 0;
    if (!element_.get(number))
      return number;
    std::string_view text;
    if (!element_.get(text)) {
      if (text == "Infinity" || text == "-Infinity")
        return text.front() == '-' ? -__builtin_inf() : __builtin_inf();
      if (text == "NaN")
        return __builtin_nan("");
    }
    return wrongKind("a number");
  }
  Result<std::string> stringField(std::string_view key) const {
    INLAY_ASSIGN(Json value, field(key));
    return value.asString();
  }
  /// The text of a field, empty if it is absent or null.
  Result<std::string> optionalString(std::string_view key) const {
    std::optional<Json> value = find(key);
    if (!value)
      return std::string();
    return value->asString();
  }

  /// Calls `visit(Json)` for each element of an array.
  template <typename Visit>
  Status forEach(Visit visit) const {
    simdjson::dom::array array;
    if (element_.get(array))
      return wrongKind("an array");
    size_t index = 0;
    for (simdjson::dom::element value : array)
      INLAY_TRY(visit(Json(value, path_ + "[" + std::to_string(index++) + "]")));
    return {};
  }
  /// Calls `visit(key, Json)` for each field of an object.
  template <typename Visit>
  Status forEachField(Visit visit) const {
    simdjson::dom::object object;
    if (element_.get(object))
      return wrongKind("an object");
    for (auto [key, value] : object)
      INLAY_TRY(visit(std::string_view(key), Json(value, childPath(key))));
    return {};
  }
  /// A union: an object with exactly one key.
  Result<std::pair<std::string, Json>> asUnion() const {
    simdjson::dom::object object;
    if (element_.get(object))
      return wrongKind("an object with exactly one key");
    if (object.size() != 1)
      return invalidArgument("{}: found an object with {} keys, expected exactly one", place(),
                             object.size());
    auto [key, value] = *object.begin();
    return std::pair(std::string(key), Json(value, childPath(key)));
  }

  Status wrongKind(std::string_view expected) const {
    return invalidArgument("{}: found {}, expected {}", place(), found(), expected);
  }
  /// The path as messages name it; the document itself has none.
  std::string_view place() const {
    return path_.empty() ? std::string_view("the top of the JSON") : std::string_view(path_);
  }

  /// A text of the document as messages show it: its start, if it is long.
  static std::string shortened(std::string_view text) {
    constexpr size_t kMaxShownBytes = 64;
    if (text.size() <= kMaxShownBytes)
      return std::string(text);
    size_t end = kMaxShownBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
      --end; // not inside a character of several bytes
    return std::string(text.substr(0, end)) + "...";
  }

private:
  /// Long keys are cut: a path is made for every value, so that they would cost their length each
  /// time.
  std::string childPath(std::string_view key) const {
    return path_.empty() ? shortened(key) : path_ + "." + shortened(key);
  }

  std::string found() const {
    switch (element_.type()) {
    case simdjson::dom::element_type::ARRAY:
      return "an array";
    case simdjson::dom::element_type::OBJECT:
      return "an object";
    case simdjson::dom::element_type::STRING: {
      std::string_view text;
      return element_.get(text) ? "a string" : "the string '" + shortened(text) + "'";
    }
    default:
      return simdjson::minify(element_);
    }
  }

  template <typename T>
  Result<T> scalar(std::string_view expected) const {
    T value{};
    if (element_.get(value))
      return wrongKind(expected);
    return value;
  }

  simdjson::dom::element element_;
  std::string path_;
};

/// Parses a text; the document lives in the parser. Errors: DataLoss with the reason.
inline Result<Json> parseJson(simdjson::dom::parser &parser, std::span<const std::byte> bytes,
                              std::string_view what) {
  constexpr size_t kMaxDepth = 256;
  constexpr size_t kMaxBytes = size_t{1} << 30;
  if (bytes.size() > kMaxBytes)
    return invalidArgument("{} has {} bytes; at most {} are read", what, bytes.size(), kMaxBytes);
  if (auto error = parser.allocate(std::max<size_t>(bytes.size(), 64), kMaxDepth))
    return outOfMemory("{}: {}", what, simdjson::error_message(error));
  simdjson::dom::element root;
  if (auto error =
          parser.parse(reinterpret_cast<const char *>(bytes.data()), bytes.size(), true).get(root))
    return dataLoss("{} is not valid: {}", what, simdjson::error_message(error));
  return Json(root, "");
}

} // namespace inlay::pt2
