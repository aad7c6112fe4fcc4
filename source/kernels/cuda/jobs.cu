// A launch over many arrays: a table of jobs comes by value as the kernel's parameter, so that nothing is copied from the
// host. `first_block` of a job is the number of blocks of those before it.
#define SEGMENT 4096  // elements that a block of 256 threads passes over

template <class Table> __device__ inline int job_of_block(const Table& jobs) {
    int low = 0, high = jobs.n - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (jobs.job[middle].first_block <= (int)blockIdx.x) low = middle;
        else high = middle - 1;
    }
    return low;
}
