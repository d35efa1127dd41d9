struct S { int a[5]; };
extern "C" __global__ void __launch_bounds__(256) all_kinds(float*x, int n, double d, bool b, S s, short h, const long long *q){ extern __shared__ float sm[]; sm[threadIdx.x]=x[n]; __syncthreads(); x[threadIdx.x]=d+b+s.a[2]+h+q[0]+sm[0]; }
extern "C" __global__ void __cluster_dims__(2,1,1) in_cluster(float*x){ x[0]=1; }
template<class T> __global__ void of_type(T*x, T v){ x[0]=v; }
template __global__ void of_type<float>(float*,float);
