// What an expression of a kernel evaluates to: a run-time tensor or a compile-time Python object.
#pragma once

#include "compiler/frontends/triton/Module.h"
#include "compiler/frontends/triton/Type.h"

#include "mlir/IR/Value.h"

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace inlay::triton {

class Value;

/// Python's int, as far as compile-time arithmetic goes: overflow is an error, never a wrap.
using Integer = __int128;

/// A scalar or block in the kernel.
struct Tensor {
  Type type;
  mlir::Value handle;
};

/// A function of a file, known by where it was defined.
struct FunctionReference {
  Module *module;
  const ModuleItem *item;
  bool operator==(const FunctionReference &) const = default;
};

/// Something imported, by its full dotted name: "triton.language.load", "torch.float32", "math".
struct ExternalName {
  std::string path;
  bool operator==(const ExternalName &) const = default;
};

/// A class of a file whose objects kernels can have: a named tuple or an aggregate.
struct ClassInfo;
using ClassReference = std::shared_ptr<const ClassInfo>;
/// An object of such a class.
struct ObjectValue;
/// lower:upper:step in an index.
struct SliceValue;
/// A Python dict.
struct DictValue;
/// A Python lambda with the local names it was made among.
struct LambdaValue;
/// A block pointer or a tensor descriptor.
struct RecordValue;

/// A value; None by default. Poison is the result of something already reported: it makes
/// everything it touches poison, so that one mistake gives one error.
class Value {
public:
  struct Poison {};
  struct None {};
  struct Ellipsis {};
  using Elements = std::vector<Value>;

  Value() : data_(None{}) {}
  static Value poison() { return Value(Data(Poison{})); }
  static Value ellipsis() { return Value(Data(Ellipsis{})); }
  static Value boolean(bool value) { return Value(Data(value)); }
  static Value integer(Integer value) { return Value(Data(value)); }
  static Value number(double value) { return Value(Data(value)); }
  static Value string(std::string value) { return Value(Data(std::move(value))); }
  static Value dtype(Type value) { return Value(Data(std::move(value))); }
  static Value tuple(Elements elements) {
    return Value(Data(std::make_shared<const Elements>(std::move(elements))));
  }
  static Value classType(ClassReference value) { return Value(Data(std::move(value))); }
  /// One value for each field of the class.
  static Value object(ClassReference type, Elements fields);
  static Value slice(Value lower, Value upper, Value step);
  static Value dict(DictValue value);
  static Value lambda(LambdaValue value);
  static Value function(FunctionReference value) { return Value(Data(value)); }
  static Value external(std::string path) { return Value(Data(ExternalName{std::move(path)})); }
  static Value record(RecordValue value);
  static Value tensor(Tensor value) { return Value(Data(std::move(value))); }

  bool isPoison() const { return std::holds_alternative<Poison>(data_); }
  bool isNone() const { return std::holds_alternative<None>(data_); }
  bool isEllipsis() const { return std::holds_alternative<Ellipsis>(data_); }
  const bool *asBool() const { return std::get_if<bool>(&data_); }
  const Integer *asInteger() const { return std::get_if<Integer>(&data_); }
  const double *asNumber() const { return std::get_if<double>(&data_); }
  const std::string *asString() const { return std::get_if<std::string>(&data_); }
  const Type *asDtype() const { return std::get_if<Type>(&data_); }
  const Tensor *asTensor() const { return std::get_if<Tensor>(&data_); }
  const FunctionReference *asFunction() const { return std::get_if<FunctionReference>(&data_); }
  const ExternalName *asExternal() const { return std::get_if<ExternalName>(&data_); }
  /// The elements of a tuple, or the fields of an object.
  const Elements *asTuple() const;
  const ClassReference *asClass() const { return std::get_if<ClassReference>(&data_); }
  const ObjectValue *asObject() const {
    auto *shared = std::get_if<std::shared_ptr<const ObjectValue>>(&data_);
    return shared ? shared->get() : nullptr;
  }
  /// A tuple, or an object of the same class, with other elements.
  Value withElements(Elements elements) const;
  const SliceValue *asSlice() const {
    auto *shared = std::get_if<std::shared_ptr<const SliceValue>>(&data_);
    return shared ? shared->get() : nullptr;
  }
  const RecordValue *asRecord() const {
    auto *shared = std::get_if<std::shared_ptr<const RecordValue>>(&data_);
    return shared ? shared->get() : nullptr;
  }
  const DictValue *asDict() const {
    auto *shared = std::get_if<std::shared_ptr<const DictValue>>(&data_);
    return shared ? shared->get() : nullptr;
  }
  const LambdaValue *asLambda() const {
    auto *shared = std::get_if<std::shared_ptr<const LambdaValue>>(&data_);
    return shared ? shared->get() : nullptr;
  }
  /// A Python bool, int or float.
  bool isNumber() const { return asBool() || asInteger() || asNumber(); }
  /// bool or int as an integer.
  std::optional<Integer> integerValue() const;
  /// bool, int or float as a float.
  std::optional<double> floatValue() const;
  /// Python's truth of a compile-time value; nullopt for tensors and poison.
  std::optional<bool> truth() const;
  /// True if it or an element of it is poison.
  bool containsPoison() const;
  /// True if it or an element of it is a tensor.
  bool containsTensor() const;

private:
  using Data = std::variant<Poison, None, Ellipsis, bool, Integer, double, std::string, Type,
                            Tensor, FunctionReference, ExternalName, ClassReference,
                            std::shared_ptr<const Elements>, std::shared_ptr<const ObjectValue>,
                            std::shared_ptr<const SliceValue>, std::shared_ptr<const RecordValue>,
                            std::shared_ptr<const DictValue>, std::shared_ptr<const LambdaValue>>;
  explicit Value(Data data) : data_(std::move(data)) {}
  Data data_;
};

struct ClassInfo {
  enum class Kind : uint8_t { NamedTuple, Aggregate };
  struct Field {
    std::string name;
    std::optional<Value> defaultValue;
    bool isTensor = false; // annotated tl.tensor: numbers become tensors
  };
  Kind kind;
  std::string name;
  std::vector<Field> fields;
  Module *module = nullptr;         // null: made by collections.namedtuple
  const ModuleItem *item = nullptr; // its body holds the methods

  std::optional<size_t> indexOf(std::string_view field) const;
  /// The function `name` of the class's body; null if there is none.
  const ModuleItem *findMethod(std::string_view method) const;
};

struct ObjectValue {
  ClassReference type;
  Value::Elements fields;
};

struct SliceValue {
  Value lower, upper, step;
};

/// Entries in the order they were made.
struct DictValue {
  std::vector<std::pair<Value, Value>> entries;

  /// The value of a key; null if there is none.
  const Value *find(const Value &key) const;
  const Value *find(std::string_view key) const;
  void set(const Value &key, const Value &value);
};

struct LambdaValue {
  Module *module;
  const Expr *expr;
  std::map<std::string, Value> captured;
};

/// Tensors that together say where blocks of a tensor in memory are: base pointer, then for each
/// dimension of the block a size (int64), a stride (int64, in elements) and, in a block pointer, an
/// offset (int32).
struct RecordValue {
  enum class Kind : uint8_t { BlockPointer, Descriptor };
  Kind kind;
  Type block; // what a load gives
  bool padsWithNaN = false;
  std::vector<Tensor> fields;

  size_t rank() const { return block.shape.size(); }
  const Tensor &base() const { return fields[0]; }
  std::vector<Tensor> sizes() const { return part(0); }
  std::vector<Tensor> strides() const { return part(1); }
  std::vector<Tensor> offsets() const { return part(2); }

private:
  std::vector<Tensor> part(size_t index) const {
    auto begin = fields.begin() + static_cast<std::ptrdiff_t>(1 + index * rank());
    return {begin, begin + static_cast<std::ptrdiff_t>(rank())};
  }
};

/// As Python's repr for compile-time values; a tensor prints as its type.
std::string describe(const Value &value);
std::string toString(Integer value);
/// Python's == of two values without tensors; handles compare for tensors.
bool equals(const Value &a, const Value &b);

/// The type a Python number gets as a tensor; nullopt for integers outside 64 bits.
std::optional<Scalar> numberType(const Value &number);

/// Python's arithmetic on compile-time values: op is one of + - * / // % ** << >> & | ^. The error
/// says why there is no result.
struct ConstantResult {
  Value value;
  std::string error;
};
ConstantResult evaluateBinary(std::string_view op, const Value &a, const Value &b);
ConstantResult evaluateUnary(std::string_view op, const Value &a);
/// op is one of < <= > >= == != in, not in.
ConstantResult evaluateCompare(std::string_view op, const Value &a, const Value &b);
/// Reads the digits of an integer literal (0x, 0o, 0b, underscores).
ConstantResult parseInteger(std::string_view digits);
ConstantResult parseFloat(std::string_view digits);

} // namespace inlay::triton
