/* One beat of AXI4-Stream for C simulation: the part that the kernels use, without side channels. */
#ifndef BNN_CSIM_AP_AXI_SDATA_H
#define BNN_CSIM_AP_AXI_SDATA_H

#include <ap_int.h>

template <int DATA, int USER, int ID, int DEST> struct ap_axis {
    static_assert(USER == 0 && ID == 0 && DEST == 0, "side channels are not simulated");
    ap_int<DATA> data;
    ap_uint<(DATA + 7) / 8> keep;
    ap_uint<(DATA + 7) / 8> strb;
    ap_uint<1> last;
};

#endif
